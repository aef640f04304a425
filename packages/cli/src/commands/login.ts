import { pathOf } from '@fest/server/contract/paths';
import type { Me } from '@fest/server/contract/schemas';
import { callApi } from '../api-client.ts';
import type { Context, GlobalOptions } from '../context.ts';
import { credentialsPath, parseGivenSession, type StoredSession, saveCredentials } from '../credentials.ts';
import { FixableError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ask } from '../prompt.ts';
import { writeDocument } from '../render/document.ts';
import { logIn } from '../session.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { readSecretLine } from '../stdin-lines.ts';

export interface LoginOptions extends GlobalOptions {
  readonly email?: string;
  readonly passwordStdin?: boolean;
  readonly tokenStdin?: boolean;
}

/** Longer input is not a password but a wrong file. */
const PASSWORD_INPUT_CHARACTERS_MAX = 4_096;

export async function runLogin(context: Context, options: LoginOptions): Promise<ExitCode> {
  const settings = await loadSettings(context, options);
  const baseUrl = settings.url.value;
  const session =
    options.tokenStdin === true ? await adopt(context, baseUrl, options) : await enter(context, settings, options);
  const { email } = session;
  saveCredentials(context.env, baseUrl, session);
  const file = credentialsPath(context.env);
  if (options.json === true) {
    const profile = settings.environment === undefined ? {} : { profile: settings.environment.name };
    writeDocument(context.stdout, 'fest.login/1', { url: baseUrl, email, credentialsFile: file, ...profile });
  } else {
    context.stderr.write(`Logged in at ${baseUrl} as ${email}. The session is kept in ${file}.\n`);
  }
  return EXIT.done;
}

async function enter(context: Context, settings: Settings, options: LoginOptions): Promise<StoredSession> {
  const email = settings.email?.value ?? (await askFor(context, 'E-mail address: ', '--email'));
  const password = await readPassword(context, options);
  return logIn(context, settings.url.value, { email, password });
}

/** A session that was made elsewhere, after the server has said whose it is. */
async function adopt(context: Context, baseUrl: string, options: LoginOptions): Promise<StoredSession> {
  if (options.passwordStdin === true) {
    throw new FixableError({
      what: '--token-stdin and --password-stdin do not go together',
      fix: 'Standard input is one or the other: leave one of them away.',
      exitCode: EXIT.usage,
    });
  }
  const given = parseGivenSession(await readSecretLine(context), context.now());
  if (given === undefined) throw noToken();
  const request = { method: 'GET', path: pathOf('me'), accessToken: given.accessToken } as const;
  const { email } = (await callApi(baseUrl, request)) as Me;
  return { email, ...given };
}

function noToken(): FixableError {
  return new FixableError({
    what: 'No token on standard input',
    why: 'the first line is an access token, or the JSON answer of POST /api/v1/sessions',
    fix: 'For example: fest login --token-stdin --profile staging < token',
    exitCode: EXIT.usage,
  });
}

async function readPassword(context: Context, options: LoginOptions): Promise<string> {
  // Never a flag: arguments are visible to everybody on the machine and stay in the shell's history.
  if (options.passwordStdin === true) return readLine(context);
  const fromEnv = context.env.FEST_PASSWORD;
  if (fromEnv !== undefined && fromEnv !== '') return fromEnv;
  return askFor(context, 'Password: ', '--password-stdin', { hidden: true });
}

async function readLine(context: Context): Promise<string> {
  let text = '';
  for await (const chunk of context.stdin.stream) {
    text += chunk.toString();
    if (text.length > PASSWORD_INPUT_CHARACTERS_MAX) break;
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line !== '' && text.length <= PASSWORD_INPUT_CHARACTERS_MAX) return line;
  throw new FixableError({
    what: 'No password on standard input',
    why: 'the first line is taken',
    fix: 'For example: printf %s "$PASSWORD" | fest login --email you@example.org --password-stdin',
    exitCode: EXIT.usage,
  });
}

async function askFor(
  context: Context,
  question: string,
  flag: string,
  options: { readonly hidden?: boolean } = {},
): Promise<string> {
  if (context.stdin.isTTY) {
    const answer = await ask(context, question, options);
    if (answer.trim() !== '') return options.hidden === true ? answer : answer.trim();
  }
  throw new FixableError({
    what: `${question.replace(/: $/, '')} is missing`,
    fix: `Give it with ${flag}.`,
    exitCode: EXIT.usage,
  });
}
