import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe finds wrong with a page, a line each. */
export async function complaintsOfAxe(page: Page): Promise<string[]> {
  // Its own rules forbid a page a script from elsewhere, so it comes as a function.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}
