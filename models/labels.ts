// The classes that the models are trained on. A bundle carries its own list in its manifest; src reads it from there.

/** The eight services of paper 4, in alphabetical order: the order of the network's outputs. */
export const SERVICES = [
  'chat',
  'download',
  'games',
  'mail',
  'search',
  'social',
  'streaming',
  'web',
] as const;
export type Service = (typeof SERVICES)[number];
