declare module 'svgcanvas' {
  /** What a canvas context is, but it writes an SVG. */
  export class Context {
    constructor(width: number, height: number);
    getSerializedSvg(): string;
  }
}
