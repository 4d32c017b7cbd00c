import { canvasModule } from './canvas.ts';

/** Whether figures can be drawn here. Apart from the canvas, whose types programs without figures need not have. */
export function hasCanvas(): boolean {
  try {
    canvasModule();
    return true;
  } catch {
    return false;
  }
}
