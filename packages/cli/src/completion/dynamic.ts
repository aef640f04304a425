/** Candidates that only a server or the configuration file knows. In a moment, or not at all. */
import { pathOf } from '@fest/server/contract/paths';
import type { FestivalPage, FestivalWithSales } from '@fest/server/contract/schemas';
import { callApi } from '../api-client.ts';
import type { Context } from '../context.ts';
import { printable } from '../render/printable.ts';
import { listProfiles, loadSettings, type SettingFlags } from '../settings.ts';
import type { Candidate, DynamicKind } from './candidates.ts';

/** After 300 ms a shell feels stuck. Counted from the start of the process: how long Node takes is the machine's affair. */
const ANSWER_WITHIN_MS = 280;
/** A machine on which Node takes that long may answer all the same. */
const QUESTION_MS_MIN = 60;
/** Newest first, and nobody completes older ones. */
const FESTIVALS = 20;

/** @param words as typed: they may name another server. Never throws */
export async function listDynamic(
  context: Context,
  kind: DynamicKind,
  words: readonly string[],
): Promise<readonly Candidate[]> {
  try {
    const flags = readFlags(words);
    if (kind === 'profile') return await profiles(context, flags);
    const { url } = await loadSettings(context, flags);
    const festivals = await listFestivals(url.value);
    return kind === 'festival' ? festivals.map(describeFestival) : festivals.flatMap(describeSales);
  } catch {
    // Whoever presses the key does not want to hear why there is nothing.
    return [];
  }
}

function readFlags(words: readonly string[]): SettingFlags {
  const valueBehind = (...names: readonly string[]): string | undefined => {
    const index = words.findLastIndex((word) => names.includes(word));
    return index === -1 ? undefined : words[index + 1];
  };
  const [dir, url, profile] = [valueBehind('-C', '--dir'), valueBehind('--url'), valueBehind('--profile')];
  return {
    ...(dir === undefined ? {} : { dir }),
    ...(url === undefined ? {} : { url }),
    ...(profile === undefined ? {} : { profile }),
  };
}

async function profiles(context: Context, { dir }: SettingFlags): Promise<readonly Candidate[]> {
  const found = await listProfiles(context, dir === undefined ? {} : { dir });
  return Object.entries(found).map(([value, { url, production }]) => ({
    value,
    description: printable(production ? `${url} (production)` : url),
  }));
}

async function listFestivals(baseUrl: string): Promise<readonly FestivalWithSales[]> {
  const get = (path: string): Promise<unknown> => callApi(baseUrl, { method: 'GET', path, timeoutMs: timeLeftMs() });
  const { items } = (await get(`${pathOf('festivals')}?limit=${FESTIVALS}`)) as FestivalPage;
  const answers = await Promise.allSettled(items.map(({ id }) => get(pathOf('festival', { festivalId: id }))));
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value as FestivalWithSales] : []));
}

function timeLeftMs(): number {
  return Math.max(QUESTION_MS_MIN, Math.round(ANSWER_WITHIN_MS - performance.now()));
}

function describeFestival({ id, title }: FestivalWithSales): Candidate {
  return { value: String(id), description: printable(title) };
}

function describeSales({ title, sales }: FestivalWithSales): readonly Candidate[] {
  return sales.map(({ id, name, phase }) => ({
    value: String(id),
    description: printable(`${name}, ${title} (${phase})`),
  }));
}
