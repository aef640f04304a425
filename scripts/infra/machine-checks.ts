/** What Terraform puts on a server's machine: its programs against shellcheck, its units against systemd. Part of `CHECKS`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderTemplate, templateOf } from '../terraform/machine.ts';
import { type Check, planted, refused, taken } from './check.ts';
import { pythonTool, type Ran, run } from './tools.ts';

const TEMPLATES = 'infra/terraform/modules/service/templates';

/** Units beside the server's. */
const OTHERS = ['fest-prepare.service', 'fest-agent.service'];

const programs: Check = {
  name: 'programs of infra/terraform (shellcheck)',
  run(directory) {
    const shellcheck = pythonTool('shellcheck');
    const bin = ['build-release', 'put-secrets', 'make-mysql-user'].map((name) => `infra/terraform/bin/${name}`);
    const machine = ['fest-prepare', 'fest-server'].map((name) => `${TEMPLATES}/${name}`);
    // What they source is on the machine only.
    const judge = (...paths: readonly string[]): Ran => run(shellcheck, ['--exclude=SC1091', ...paths]);
    taken(judge(...bin, ...machine));
    refused(
      judge(planted(`${TEMPLATES}/fest-prepare`, directory, '"s3://$RELEASE_BUCKET/$RELEASE_KEY"', '$RELEASE_KEY')),
      /SC2086/,
    );
  },
};

const units: Check = {
  name: 'units of infra/terraform (systemd-analyze)',
  run(directory) {
    const rendered = renderTemplate(templateOf('fest.service.tftpl'), { stop_seconds: '47' });
    /** All units, as one asks for another; what they run is not installed here. */
    const verify = (unit: string): Ran => {
      const folder = join(directory, 'units');
      mkdirSync(folder, { recursive: true });
      const runnable = (text: string): string => text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true');
      for (const name of OTHERS) writeFileSync(join(folder, name), runnable(templateOf(name)));
      writeFileSync(join(folder, 'fest.service'), runnable(unit));
      const ran = run('systemd-analyze', ['verify', ...['fest.service', ...OTHERS].map((name) => join(folder, name))]);
      // An unknown key is a warning, and a limit that does not count.
      return /ignoring|Unknown/.test(ran.said) ? { ...ran, status: 1 } : ran;
    };
    taken(verify(rendered));
    refused(verify(rendered.replace('MemoryMax=', 'MemoryMaximum=')), /MemoryMaximum/);
    refused(verify(rendered.replace('Requires=fest-prepare.service', 'Requires=nowhere.service')), /nowhere/);
    taken(
      run('systemd-analyze', ['security', '--offline=true', '--threshold=20', join(directory, 'units/fest.service')]),
    );
  },
};

export const MACHINE_CHECKS: readonly Check[] = [programs, units];
