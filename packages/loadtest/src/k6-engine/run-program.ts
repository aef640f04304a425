import { execFile } from 'node:child_process';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProgramAnswer {
  /** Null: it could not be started, was killed, or did not end in time. */
  readonly exitCode: number | null;
  readonly stdout: string;
  /** What it said about an error, or why it could not be started. */
  readonly stderr: string;
}

/** Runs a program that answers soon, and does not throw when it fails. @throws the signal's reason */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: { readonly env: Environment; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProgramAnswer> {
  const { signal, timeoutMs } = options;
  signal.throwIfAborted();
  const answer = await new Promise<ProgramAnswer>((resolve) => {
    const settings = { env: { ...options.env }, timeout: timeoutMs, killSignal: 'SIGKILL' as const, signal };
    execFile(path, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else resolve({ exitCode: null, stdout, stderr: stderr === '' ? error.message : stderr });
    });
  });
  signal.throwIfAborted();
  return answer;
}
