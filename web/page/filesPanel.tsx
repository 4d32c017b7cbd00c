import type { NeededFile, TimeUnit } from '../engine/protocol.ts';
import type { Playground } from './playground.ts';

/** Digits of a hash that are shown. */
const shownDigits = 12;
const short = (sha256: string) => sha256.slice(0, shownDigits);

/** Files that a run asks for, and what could be trained on one that came alone. */
export function FilesPanel({ page, choose }: { readonly page: Playground; choose(): void }) {
  return (
    <>
      {page.held && <Held />}
      <Needed page={page} choose={choose} />
      <Offered page={page} />
    </>
  );
}

function Held() {
  return (
    <section class="files" aria-label="Plug-in of this link" role="status">
      <h2>This link carries a plug-in</h2>
      <p>
        Nothing runs before you have read it, at the end of this page under "A rule of your own", and pressed "Use
        plug-in" there.
      </p>
    </section>
  );
}

function Needed({ page, choose }: { readonly page: Playground; choose(): void }) {
  const needs = page.phase === 'asking' ? page.needs : [];
  if (needs.length === 0) return null;
  const others = needs.some(({ got }) => got !== null);
  return (
    <section class="files" aria-label="Files of this run" role="status">
      <h2>This run reads files of yours</h2>
      <ul>
        {needs.map((file) => (
          <li key={file.name}>
            <code>{file.name}</code>
            {stateOf(file)}
          </li>
        ))}
      </ul>
      <p class="note">Choose them or drop them on the page. They stay on this page: nothing is sent anywhere.</p>
      <div class="row">
        <button type="button" class="primary" onClick={choose}>
          Choose files
        </button>
        {others && (
          <button type="button" onClick={() => page.acceptOthers()}>
            Train on what was given
          </button>
        )}
      </div>
    </section>
  );
}

function stateOf({ sha256, got }: NeededFile): string {
  if (got !== null) return `: got another file, SHA-256 ${short(got)}..., expected ${short(sha256 ?? '')}...`;
  return sha256 === null ? '' : `, SHA-256 ${short(sha256)}...`;
}

const units: readonly TimeUnit[] = ['s', 'ms', 'us'];

function Offered({ page }: { readonly page: Playground }) {
  const { offer } = page;
  if (!offer) return null;
  return (
    <section class="files" aria-label="Your recording" role="status">
      <h2>{offer.name}</h2>
      <p>{offer.about}</p>
      {offer.timeUnit && (
        <label>
          Unit of its times, which it does not say{' '}
          <select
            value={offer.timeUnit}
            onChange={({ currentTarget }) => void page.consider(offer.name, currentTarget.value as TimeUnit)}
          >
            {units.map((unit) => (
              <option key={unit} value={unit}>
                {unit}
              </option>
            ))}
          </select>
        </label>
      )}
      <p class="note">The file stays on this page: nothing is sent anywhere.</p>
      <div class="row">
        <button type="button" class="primary" onClick={() => page.accept()}>
          Train on it
        </button>
        <button type="button" onClick={() => page.decline()}>
          Not now
        </button>
      </div>
    </section>
  );
}
