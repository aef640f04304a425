/** What an image needs of this machine to be built and run without a container engine. */
import { spawnSync } from 'node:child_process';

/** A sentence for each thing that is not here; none: all is. */
export function obstacles(): readonly string[] {
  if (process.platform !== 'linux') return ['It needs Linux.'];
  const missing: string[] = [];
  const overlay = `mkdir -p "$0/a" "$0/b" "$0/c" && mount -t tmpfs t "$0/a" && mkdir "$0/a/u" "$0/a/w" &&
    mount -t overlay o -o "lowerdir=$0/b,upperdir=$0/a/u,workdir=$0/a/w" "$0/c"`;
  const probe = `d=$(mktemp -d) && unshare --mount --pid --fork sh -c '${overlay}' "$d"; s=$?; rm -rf "$d"; exit $s`;
  if (process.getuid?.() !== 0) missing.push('It needs root, for mounts.');
  else if (spawnSync('sh', ['-c', probe], { stdio: 'ignore' }).status !== 0)
    missing.push('Nothing can be mounted here.');
  if (spawnSync('haproxy', ['-v'], { stdio: 'ignore' }).status !== 0)
    missing.push('There is no haproxy (apt-get install haproxy).');
  return missing;
}
