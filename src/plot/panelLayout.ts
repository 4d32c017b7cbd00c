import { ConfigError } from '../core/errors.ts';
import { neuronsOf } from './check.ts';
import { topOf } from './frame.ts';
import type { HeaderLayout } from './header.ts';
import type { LinesSection, RasterSection } from './types.ts';

/** Under a panel that has another one below. */
export const PANEL_GAP = 7;
/** Labels and title of the time axis, under the lowest panel. */
export const TIME_AXIS = 42;

const LINES_AREA = 84;
const SMALLEST_AREA = 20;
const BOTTOM_MARGIN = 6;

/** Px from top to bottom: where each panel starts, and how high it is with header and axis. */
export interface PanelLayout {
  readonly height: number;
  readonly panels: readonly { readonly y: number; readonly height: number; readonly area: number }[];
}

/**
 * Heights that suit the content, or that share out a given height in the same proportions.
 * @throws ConfigError when the given height leaves a panel less than 20 px.
 */
export function layoutPanels(
  sections: readonly (RasterSection | LinesSection)[],
  headers: readonly HeaderLayout[],
  title: string | undefined,
  givenHeight: number | undefined,
): PanelLayout {
  const natural = sections.map(naturalArea);
  const headerHeight = headers.reduce((sum, header) => sum + header.height, 0);
  const fixed = topOf(title) + headerHeight + (sections.length - 1) * PANEL_GAP + TIME_AXIS + BOTTOM_MARGIN;
  const total = natural.reduce((sum, area) => sum + area, 0);
  const share = givenHeight === undefined ? 1 : (givenHeight - fixed) / total;
  const areas = natural.map((area) => Math.floor(area * share));
  if (Math.min(...areas) < SMALLEST_AREA) {
    const least = Math.ceil(fixed + (SMALLEST_AREA + 1) * (total / Math.min(...natural)));
    throw new ConfigError('options.height', givenHeight, `at least ${least} px for ${sections.length} panels`);
  }
  return { height: givenHeight ?? fixed + total, panels: stack(areas, headers, topOf(title)) };
}

function stack(areas: readonly number[], headers: readonly HeaderLayout[], top: number): PanelLayout['panels'] {
  let y = top;
  return areas.map((area, n) => {
    const below = n === areas.length - 1 ? TIME_AXIS : PANEL_GAP;
    const height = headers[n].height + area + below;
    const panel = { y, height, area };
    y += height;
    return panel;
  });
}

/** Five px a neuron, as long as that is neither too low to label nor too high for a page. */
function naturalArea(section: RasterSection | LinesSection): number {
  if (section.kind === 'lines') return LINES_AREA;
  return Math.round(Math.min(420, Math.max(64, neuronsOf(section) * 5)));
}
