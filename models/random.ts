// Random numbers of training: those of the data set.

export { type Random, seededRandom, shuffledIndices } from '../src/dataset/random.ts';
