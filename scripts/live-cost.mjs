// What looking on costs a training, and whether the dashboard survives messages of no meaning.
//
//     npm run build && node scripts/live-cost.mjs > docs/results/live.json
//
// Trainings with --live, looked on by one client that reads all updates, and without it take turns, so that both meet the same machine. What is compared
// is the processor time of the thread that trains (Linux tells it), which others on the machine change little, and the speed that a run says of itself. The messages are random bytes and requests that are broken in many ways, over as many connections.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDashboard } from '../dist/src/cli/live/server.js';

const turns = 10;
const messages = 10_000;
const experiment = ['four-six-back', '--set', 'training.total=320000', '--set', 'evaluation.total=1600'];
const folder = mkdtempSync(join(tmpdir(), 'spiketrace-live-'));

/** Processor time of the main thread of a process so far, s; null: it is gone. */
function secondsOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return null;
  }
}

/** @returns symbols a second, processor time of the thread that trains, s, and the updates that came */
function train(live) {
  const out = join(folder, 'run');
  rmSync(out, { recursive: true, force: true });
  const args = ['dist/src/cli/main.js', 'train', ...experiment, '--no-figures', '--out', out];
  let updates = 0;
  let seconds = 0;
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, live ? [...args, '--live'] : args, (error) => {
      clearInterval(timer);
      if (error) reject(error);
      else {
        const { perSecond } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
        resolve({ perSecond, seconds, updates });
      }
    });
    const timer = setInterval(() => {
      seconds = secondsOf(child.pid) ?? seconds;
    }, 20);
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
      const url = /^live: (\S+)\n/.exec(said)?.[1];
      if (!url) return;
      said = '';
      get(new URL('events', url), (answer) => {
        answer.on('data', (part) => {
          updates += String(part).split('data: ').length - 1;
        });
        answer.on('error', () => {});
      }).on('error', () => {});
    });
  });
}

/** Share of a core that a dashboard with one page takes while a run trains in another process. */
async function work() {
  const dashboard = await openDashboard(folder);
  const training = train(false);
  const request = get(new URL('events', dashboard.url), (answer) => answer.on('error', () => {}).resume());
  request.on('error', () => {});
  const [began, before] = [performance.now(), process.cpuUsage()];
  await training;
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1000 / (performance.now() - began);
  await dashboard.close();
  return share;
}

let seed = 1;
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};

/** Bytes of a good request, some of them others, or some of them gone. */
function broken(port, path) {
  const good = Buffer.from(
    `GET ${path}look?run=a HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://127.0.0.1:${port}\r\n\r\n`,
  );
  if (random(4) === 0) return Buffer.from(Array.from({ length: random(400) }, () => random(256)));
  for (let n = random(12); n >= 0; n--) good[random(good.length)] = random(256);
  return good.subarray(0, good.length - random(3) * random(20));
}

async function survive() {
  const dashboard = await openDashboard(folder, { everyMs: 50 });
  const { port, pathname } = new URL(dashboard.url);
  const send = () =>
    new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end(broken(port, pathname)));
      socket.on('error', () => {}).on('close', resolve);
      socket.resume();
      setTimeout(() => socket.destroy(), 200);
    });
  const began = performance.now();
  for (let sent = 0; sent < messages; sent += 20) await Promise.all(Array.from({ length: 20 }, send));
  const seconds = (performance.now() - began) / 1000;
  const status = await new Promise((resolve, reject) => {
    get(dashboard.url, ({ statusCode }) => resolve(statusCode)).on('error', reject);
  });
  await dashboard.close();
  return { messages, seconds, statusAfter: status };
}

const [loadBefore] = loadavg();
const pairs = [];
for (let turn = 0; turn < turns; turn++) {
  const order = turn % 2 === 0 ? [true, false] : [false, true];
  const rows = {};
  for (const live of order) rows[live ? 'live' : 'plain'] = await train(live);
  pairs.push(rows);
}
const spread = (of) => {
  const ratios = pairs.map(of).sort((a, b) => a - b);
  return { median: (ratios[turns / 2 - 1] + ratios[turns / 2]) / 2, least: ratios[0], most: ratios.at(-1) };
};
const result = {
  command: 'npm run build && node scripts/live-cost.mjs',
  experiment: experiment.join(' '),
  machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.version}`,
  loadBefore,
  timeOfPlain: spread(({ live, plain }) => live.seconds / plain.seconds),
  speedOfPlain: spread(({ live, plain }) => live.perSecond / plain.perSecond),
  coreOfDashboard: await work(),
  malformed: await survive(),
  pairs,
};
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify(result, null, 2));
