/** A Dockerfile as steps, by the parser that editors use; only what this project's Dockerfile says is understood. */
import { type Copy, DockerfileParser, type Instruction, type PropertyInstruction } from 'dockerfile-ast';

export type Step =
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'copy'; readonly from?: string; readonly sources: readonly string[]; readonly target: string }
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'env'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'command'; readonly words: readonly string[] }
  | { readonly kind: 'entrypoint'; readonly words: readonly string[] }
  | { readonly kind: 'health'; readonly words: readonly string[] }
  | { readonly kind: 'volume'; readonly paths: readonly string[] }
  | { readonly kind: 'expose'; readonly ports: readonly string[] }
  | { readonly kind: 'stopSignal'; readonly signal: string };

export interface Stage {
  readonly name: string;
  /** An image, or an earlier stage. */
  readonly base: string;
  readonly steps: readonly Step[];
}

/** @throws when it says something that is not understood here */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { name: string; base: string; steps: Step[] }[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const words = wordsOf(instruction);
    if (instruction.getKeyword() === 'FROM') {
      const [base = '', as, name = ''] = words;
      if (as?.toUpperCase() !== 'AS') throw new Error(`the stage of ${base} has no name`);
      stages.push({ name, base, steps: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${instruction.getKeyword()} stands before the first FROM`);
    stage.steps.push(stepOf(instruction, words));
  }
  return stages;
}

function stepOf(instruction: Instruction, words: readonly string[]): Step {
  const keyword = instruction.getKeyword();
  const [first = ''] = words;
  switch (keyword) {
    case 'RUN':
      return { kind: 'run', command: words.join(' ') };
    case 'COPY': {
      const from = (instruction as Copy).getFromFlag()?.getValue();
      const paths = words.filter((word) => !word.startsWith('--'));
      const parts = { sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
      return { kind: 'copy', ...parts, ...(typeof from === 'string' ? { from } : {}) };
    }
    case 'WORKDIR':
      return { kind: 'workdir', path: first };
    case 'ENV': {
      const properties = (instruction as PropertyInstruction).getProperties();
      return {
        kind: 'env',
        values: Object.fromEntries(properties.map((each) => [each.getName(), each.getValue() ?? ''])),
      };
    }
    case 'USER':
      return { kind: 'user', user: first };
    case 'CMD':
      return { kind: 'command', words: jsonWords(instruction) };
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', words: jsonWords(instruction) };
    case 'HEALTHCHECK':
      return { kind: 'health', words: jsonWords(instruction) };
    case 'VOLUME':
      return { kind: 'volume', paths: jsonWords(instruction) };
    case 'EXPOSE':
      return { kind: 'expose', ports: words };
    case 'STOPSIGNAL':
      return { kind: 'stopSignal', signal: first };
    default:
      throw new Error(`${keyword} is not understood here`);
  }
}

function wordsOf(instruction: Instruction): readonly string[] {
  return instruction.getArguments().map((argument) => argument.getValue());
}

/** Of the exec form: without a shell in between, the process gets its signals. */
function jsonWords(instruction: Instruction): readonly string[] {
  const [json] = /\[.*\]\s*$/s.exec(instruction.getRawArgumentsContent() ?? '') ?? [];
  if (json === undefined) throw new Error(`${instruction.getKeyword()} has to be a JSON array`);
  return JSON.parse(json) as string[];
}
