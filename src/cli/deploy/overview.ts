import { type Check, checkNames, coresInWords, type Deployment } from '../../../hardware/index.ts';
import { escaped, wide } from '../html.ts';
import { memoryParts, number } from './report.ts';

/** Style of the overview: cards side by side, as many as there is room for. */
export const overviewStyle = `
.chips{display:grid;gap:.8em;grid-template-columns:repeat(auto-fill,minmax(min(100%,21em),1fr))}
.chip{border:1px solid var(--line);border-top:5px solid var(--tone);border-radius:6px;padding:.2em .9em .7em;break-inside:avoid;min-width:0;overflow-wrap:anywhere}
.chip h2{display:flex;justify-content:space-between;gap:.6em;flex-wrap:wrap;margin:.4em 0}
.chip dl{margin:.4em 0}.chip dt{color:var(--soft);margin-top:.5em}.chip dd{margin:0}.chip ul{padding-left:1.2em;margin:.2em 0}
.pass{--tone:var(--pass)}.degraded{--tone:var(--degraded)}.fail{--tone:var(--fail)}
.word{color:var(--tone);font-weight:600;white-space:nowrap}
.bar{display:block;width:100%;height:.8em;margin:.2em 0}.bar .of{fill:var(--back);stroke:var(--line)}
.key{display:inline-block;width:.8em;height:.8em;margin-right:.35em;vertical-align:-.05em}
.part0{fill:#0072b2}.part1{fill:#56b4e9}.part2{fill:#e69f00}.part3{fill:#009e73}.part4{fill:#cc79a7}.part5{fill:#d55e00}.part6{fill:#8a8a8a}
.parts{list-style:none;padding:0!important;display:flex;flex-wrap:wrap;gap:0 1em}
.matrix td{white-space:nowrap}.matrix th[scope=row]{position:sticky;left:0;font-weight:400}
@media print{.chips{grid-template-columns:repeat(3,1fr)}}`;

/** Mark and word of each status: neither is told by colour alone. */
const words: Readonly<Record<Check['status'], string>> = { pass: '✓ pass', degraded: '≈ degraded', fail: '✗ fail' };
const statusOf: Readonly<Record<Deployment['verdict'], Check['status']>> = {
  fits: 'pass',
  'fits with': 'degraded',
  'does not fit': 'fail',
};
/** The verdict by itself; in a table its reasons follow it. */
export const verdictInWords = (verdict: Deployment['verdict']) =>
  verdict === 'fits with' ? 'fits with approximations' : verdict;
const marks: Readonly<Record<Check['status'], string>> = { pass: '✓', degraded: '≈', fail: '✗' };

const word = (status: Check['status'], text: string) => `<span class="word ${status}">${escaped(text)}</span>`;

/** How many chips do and do not, in words. */
export function countInWords(deployments: readonly Deployment[]): string {
  const said = { fits: 'fit', 'fits with': 'fit with approximations', 'does not fit': 'do not fit' } as const;
  const count = (wanted: Deployment['verdict']) => deployments.filter(({ verdict }) => verdict === wanted).length;
  const counts = (['fits', 'fits with', 'does not fit'] as const).map(
    (verdict) => `${count(verdict)} ${said[verdict]}`,
  );
  return `Of ${deployments.length} ${deployments.length === 1 ? 'chip' : 'chips'} ${counts.join(', ')}.`;
}

/** All chips side by side. */
export function cards(deployments: readonly Deployment[]): string {
  return `<div class="chips">${deployments.map(card).join('\n')}</div>`;
}

function card(deployment: Deployment): string {
  const { chip, verdict, checks, energy } = deployment;
  const status = statusOf[verdict];
  const open = (['fail', 'degraded'] as const).flatMap((name) => checks.filter((check) => check.status === name));
  const counts = (['pass', 'degraded', 'fail'] as const)
    .map((name) => `${checks.filter((check) => check.status === name).length} ${name}`)
    .join(', ');
  return `<section class="chip ${status}"><h2>${escaped(chip)} ${word(status, `${marks[status]} ${verdictInWords(verdict)}`)}</h2>
<dl>${definition(`${checks.length} checks`, counts)}
${loads(deployment)}
${byPart(deployment)}
${energy ? definition('energy of a step', `${number(energy.low, 3)} to ${number(energy.high, 3)} pJ`) : ''}
${open.length > 0 ? `<dt>in the way, and what would make it fit</dt><dd><ul>${open.map(remedy).join('')}</ul></dd>` : ''}</dl></section>`;
}

const definition = (term: string, text: string) => `<dt>${escaped(term)}</dt><dd>${escaped(text)}</dd>`;

function remedy({ name, status, because, fitsIf }: Check): string {
  const said = fitsIf === null ? because : `fits if ${fitsIf}`;
  return `<li>${word(status, `${words[status]}: ${name}`)}<br>${escaped(said)}</li>`;
}

/** What is taken of what the chip offers: cores, and the synapse memory of the fullest of them. */
function loads({ placement }: Deployment): string {
  const { cores, coreBytes, offered, complete } = placement;
  const fullest = Math.ceil(cores.reduce((most, { bytes }) => Math.max(most, bytes), 0));
  const rows = [
    { term: 'cores', said: coresInWords(placement), taken: complete ? cores.length : null, of: offered },
    { term: 'synapse memory of the fullest core', said: ofCapacity(fullest, coreBytes), taken: fullest, of: coreBytes },
  ];
  return rows
    .map(({ term, said, taken, of }) => {
      const bar = taken !== null && typeof of === 'number' ? loadBar(taken / of) : '';
      return `<dt>${term}</dt><dd>${escaped(said)}${bar}</dd>`;
    })
    .join('\n');
}

function ofCapacity(bytes: number, capacity: Deployment['placement']['coreBytes']): string {
  if (typeof capacity !== 'number') return `${inBytes(bytes)}, capacity ${capacity ?? 'not known'}`;
  return `${inBytes(bytes)} of ${inBytes(capacity)} (${((100 * bytes) / capacity).toFixed(1)} %)`;
}

const inBytes = (bytes: number) => `${Math.ceil(bytes).toLocaleString('en-GB')} bytes`;

/** A share of a capacity; beyond it the bar is that of a failure, and the capacity a line in it. The text beside it says the numbers. */
function loadBar(share: number): string {
  const whole = Math.max(1, share);
  const edge = share > 1 ? `<path d="M${100 / whole} 0v8" style="stroke:var(--ink)" stroke-width=".8"/>` : '';
  const tone = share > 1 ? 'fail' : 'pass';
  return svgBar(
    `<rect class="of" width="100" height="8"/><rect class="${tone}" style="fill:var(--tone)" width="${(100 * share) / whole}" height="8"/>${edge}`,
  );
}

/** Weights, state of inference, and what learning adds by where it lies, as parts of their sum. */
function byPart(deployment: Deployment): string {
  const parts = memoryParts(deployment);
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  let x = 0;
  const rects = parts.map(({ bytes }, n) => {
    const width = (100 * bytes) / total;
    x += width;
    return `<rect class="part${n}" x="${x - width}" width="${width}" height="8"/>`;
  });
  const items = parts.map(({ name, bytes }, n) => {
    const key = `<svg class="key" aria-hidden="true"><rect class="part${n}" width="100%" height="100%"/></svg>`;
    return `<li>${key}${escaped(`${name} ${inBytes(bytes)}`)}</li>`;
  });
  return `<dt>memory by part, ${inBytes(total)}</dt><dd>${svgBar(rects.join(''))}<ul class="parts">${items.join('')}</ul></dd>`;
}

const svgBar = (content: string) =>
  `<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">${content}</svg>`;

/** Every check of every chip in one table. */
export function matrix(deployments: readonly Deployment[]): string {
  const head = deployments.map(({ chip }) => `<th scope="col">${escaped(chip)}</th>`).join('');
  const rows = checkNames.map((name) => {
    const cells = deployments.map(({ checks }) => {
      const { status } = checks.find((check) => check.name === name) as Check;
      return `<td>${word(status, words[status])}</td>`;
    });
    return `<tr><th scope="row">${name}</th>${cells.join('')}</tr>`;
  });
  return wide(
    `<table class="matrix"><tr><th scope="col">check</th>${head}</tr>${rows.join('')}</table>`,
    'checks by chip',
  );
}
