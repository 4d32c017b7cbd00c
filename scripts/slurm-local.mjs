// A Slurm cluster of one node, this machine, in a folder of its own: for tests and for trying what a study does on a cluster.
// Needs root and the packages slurm-wlm and munge (Debian, Ubuntu). Nothing outside the folder is written, and clusters in several folders do not meet.
//
//     node scripts/slurm-local.mjs start FOLDER    prints the variable that names the cluster to sbatch, squeue, scontrol
//     node scripts/slurm-local.mjs stop FOLDER
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, totalmem } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const daemons = ['slurmd', 'slurmctld', 'munged'];
/** Cores of the node, whatever the machine has. */
const cores = 2;
/** Daemons lie in sbin, which is not in everybody's path. */
const environment = { ...process.env, PATH: `${process.env.PATH}${delimiter}/usr/sbin${delimiter}/sbin` };

/** Why there can be no cluster on this machine; null where there can. */
export function whyNoSlurm() {
  if (process.getuid?.() !== 0) return 'Slurm starts its daemons as root alone';
  const missing = daemons.filter((name) => spawnSync(name, ['-V'], { env: environment }).error);
  return missing.length > 0 ? `${missing.join(', ')} not installed (packages slurm-wlm, munge)` : null;
}

/** @returns the path of its slurm.conf, once the node takes jobs */
export async function startSlurm(name) {
  const folder = resolve(name);
  const path = (file) => join(folder, file);
  for (const part of ['', 'state', 'spool']) mkdirSync(path(part), { recursive: true });
  writeFileSync(path('munge.key'), randomBytes(128), { mode: 0o400 });
  const conf = path('slurm.conf');
  writeFileSync(conf, configuration(path, await freePorts(2)));
  begin(
    'munged',
    // A folder of its own may be closed to others; all daemons are root.
    ['--force', ...Object.entries(mungeFiles).map(([option, file]) => `--${option}=${path(file)}`)],
  );
  begin('slurmctld', ['-f', conf]);
  begin('slurmd', ['-f', conf]);
  const env = { ...environment, SLURM_CONF: conf };
  for (let tries = 0; tries < 150; tries++) {
    const { stdout } = spawnSync('sinfo', ['-h', '-o', '%T'], { env, encoding: 'utf8', timeout: 5000 });
    if (stdout?.trim() === 'idle') return conf;
    await wait(200);
  }
  await stopSlurm(folder);
  throw new Error(`the node did not become idle within 30 s; its log: ${path('slurmctld.log')}`);
}

const mungeFiles = {
  socket: 'munge.socket',
  'key-file': 'munge.key',
  'pid-file': 'munged.pid',
  'log-file': 'munged.log',
  'seed-file': 'munge.seed',
};

/** Jobs that were put back start after a few seconds in place of two minutes (`cred_expire`). */
function configuration(path, [controller, node]) {
  const host = hostname().split('.')[0];
  const memory = Math.floor((0.75 * totalmem()) / 2 ** 20);
  return `ClusterName=local
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=${path(mungeFiles.socket)},cred_expire=5
StateSaveLocation=${path('state')}
SlurmdSpoolDir=${path('spool')}
SlurmctldPidFile=${path('slurmctld.pid')}
SlurmdPidFile=${path('slurmd.pid')}
SlurmctldLogFile=${path('slurmctld.log')}
SlurmdLogFile=${path('slurmd.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,sched_min_interval=100000,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cores} RealMemory=${memory}
PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;
}

/** Starts a program that goes into the background by itself. */
function begin(program, args) {
  execFileSync(program, args, { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Ports that are free now. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Ends the daemons that the pid files name, the node's first. */
export async function stopSlurm(name) {
  const folder = resolve(name);
  for (const daemon of daemons) {
    const file = join(folder, `${daemon}.pid`);
    if (!existsSync(file)) continue;
    const pid = Number(readFileSync(file, 'utf8'));
    for (let tries = 0; tries < 100 && signal(pid, tries === 0 ? 'SIGTERM' : 0); tries++) await wait(100);
  }
}

function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [verb, folder] = process.argv.slice(2);
  const missing = whyNoSlurm();
  if (missing || !folder || !['start', 'stop'].includes(verb)) {
    console.error(missing ?? 'usage: node scripts/slurm-local.mjs start|stop FOLDER');
    process.exitCode = 2;
  } else if (verb === 'stop') await stopSlurm(folder);
  else console.log(`export SLURM_CONF=${await startSlurm(folder)}`);
}
