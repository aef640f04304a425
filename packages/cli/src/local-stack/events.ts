/** What happens in a local stack, for whoever shows it. `message` is one plain line for people. */
export type StackEvent =
  | { readonly type: 'progress'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'process-started'; readonly name: string; readonly pid: number; readonly message: string }
  | {
      readonly type: 'process-exited';
      readonly name: string;
      readonly pid: number;
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly lastLines: readonly string[];
      readonly restartInMs: number;
      readonly message: string;
    };

export type StackEventListener = (event: StackEvent) => void;
