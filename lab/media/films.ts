// Films as HLS has them (RFC 8216): made once by ffmpeg from pictures that it draws itself, in several qualities each.

/** A quality of a film. */
interface Rung {
  readonly width: number;
  readonly height: number;
  readonly kbit: number;
}

export interface Film {
  readonly name: string;
  /** ffmpeg's drawn source: what changes how much from picture to picture. */
  readonly picture: (size: string, rate: number) => string;
  readonly segmentSeconds: number;
  readonly rungs: readonly Rung[];
}

export const FILM_SECONDS = 90;
/** Few pictures a second cost little; the bytes of a segment are those of its bit rate all the same. */
export const FRAME_RATE = 5;

/** From Apple's HLS Authoring Specification, what two cores can bear of it; smaller pictures than its own, of the same bit rates. */
const LADDER: readonly Rung[] = [
  { width: 234, height: 132, kbit: 145 },
  { width: 320, height: 180, kbit: 365 },
  { width: 384, height: 216, kbit: 730 },
  { width: 480, height: 270, kbit: 1600 },
  { width: 640, height: 360, kbit: 3000 },
];
const noisy = (source: string, strength: number): string =>
  `${source},noise=alls=${strength}:allf=t+u`;

export const FILMS: readonly Film[] = [
  {
    name: 'fractal',
    picture: (size, rate) => noisy(`mandelbrot=size=${size}:rate=${rate}`, 20),
    segmentSeconds: 6,
    rungs: LADDER,
  },
  {
    name: 'clock',
    picture: (size, rate) => noisy(`testsrc2=size=${size}:rate=${rate}`, 45),
    segmentSeconds: 4,
    rungs: LADDER.slice(0, 4),
  },
  {
    name: 'life',
    picture: (size, rate) =>
      noisy(`life=size=${size}:rate=${rate}:mold=10:ratio=0.2`, 12),
    segmentSeconds: 2,
    rungs: LADDER,
  },
  {
    name: 'bars',
    picture: (size, rate) => noisy(`rgbtestsrc=size=${size}:rate=${rate}`, 80),
    segmentSeconds: 5,
    rungs: LADDER.slice(1),
  },
];
