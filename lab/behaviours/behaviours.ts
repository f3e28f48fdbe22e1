// Class -> what is done in its name. docs/lab.md describes them; all figures are assumptions.

import type { Service } from '../../models/labels.ts';
import type { Visit } from '../client/visit.ts';
import { chat } from './chat.ts';
import { download } from './download.ts';
import { games } from './games.ts';
import { mail } from './mail.ts';
import { search } from './search.ts';
import { social } from './social.ts';
import { streaming } from './streaming.ts';
import { web } from './web.ts';

/** Acts out one session; resolves when it is over, rejects when it was cut short. */
export type Behaviour = (visit: Visit) => Promise<void>;

export const BEHAVIOURS: Readonly<Record<Service, Behaviour>> = {
  chat,
  download,
  games,
  mail,
  search,
  social,
  streaming,
  web,
};
