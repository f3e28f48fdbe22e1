// What a player does, step by step: a scenario with everything drawn. The same steps are played by every client
// software (players/), so that what differs between two classes is the scenario and never the program.
// All times are in ms, all lengths in bytes.

/** A reply of known length. `host` is an index into the activity's hosts. */
export interface Get {
  readonly op: 'get';
  readonly host: number;
  /** Added to the request's line: cookies, parameters. */
  readonly up: number;
  readonly down: number;
  /** Until the first byte: the server's work. */
  readonly hold: number;
  /** kB a second at which the server sends; 0: as fast as it goes. */
  readonly rate: number;
}

export interface Post {
  readonly op: 'post';
  readonly host: number;
  /** The body. */
  readonly up: number;
  readonly down: number;
  readonly hold: number;
}

interface PageObject {
  readonly host: number;
  readonly down: number;
  readonly hold: number;
}

/** A document and what it shows: a browser finds the objects in it, others fetch them as the browser would. */
export interface Page {
  readonly op: 'page';
  readonly host: number;
  readonly up: number;
  readonly down: number;
  readonly hold: number;
  readonly objects: readonly PageObject[];
}

/** A message of the client's; the server answers with `replies`: each so long after the message, so many bytes. */
export interface Send {
  /** Since the channel was opened. */
  readonly at: number;
  readonly up: number;
  readonly replies: readonly (readonly [after: number, bytes: number])[];
}

/** Messages both ways for a while: a WebSocket, a stream, or requests where a program has neither. */
export interface Channel {
  readonly op: 'channel';
  readonly host: number;
  readonly lasts: number;
  /** What the server sends by itself (origin/pushes.ts); empty: nothing. */
  readonly push: string;
  readonly sends: readonly Send[];
}

/** A film is watched with a player of HLS (RFC 8216), which chooses among its qualities. */
export interface Play {
  readonly op: 'play';
  readonly host: number;
  /** Which film (media/films.ts), modulo their number. */
  readonly film: number;
  /** Of playing, in ms. */
  readonly lasts: number;
}

/** Two browsers talk (WebRTC, RFC 8825): media both ways, or messages over a data channel, in DTLS. */
export interface Talk extends Omit<Channel, 'op'> {
  readonly op: 'talk';
  /** `none`: messages. */
  readonly media: 'voice' | 'video' | 'none';
}

export const IMAP_ACTS = [
  'open',
  'folders',
  'list',
  'read',
  'flag',
  'search',
  'append',
  'check',
  'idle',
] as const;

/** One thing done with a mailbox over IMAP (RFC 9051). */
export interface Imap {
  readonly op: 'imap';
  readonly host: number;
  readonly act: (typeof IMAP_ACTS)[number];
  /** Of `open`: which mailbox; `list`: of so many newest mails; `read`, `flag`: the so many newest one; `append`: bytes; `idle`: ms. */
  readonly amount: number;
}

export const SMTP_ACTS = ['open', 'send'] as const;

/** One thing done with a server that takes mail (RFC 6409). */
export interface Smtp {
  readonly op: 'smtp';
  readonly host: number;
  readonly act: (typeof SMTP_ACTS)[number];
  /** Of `open`: whose mailbox; of `send`: bytes. */
  readonly amount: number;
}

export type Step =
  | { readonly op: 'wait'; readonly ms: number }
  | Imap
  | Smtp
  | Get
  | Post
  | Page
  | Channel
  | Play
  | Talk
  | { readonly op: 'sequence'; readonly steps: readonly Step[] }
  /** At the same time, at most `limit` at once. */
  | { readonly op: 'together'; readonly limit: number; readonly steps: readonly Step[] }
  /** The i-th begins no earlier than (i - ahead) · every after the first: a player with a buffer. */
  | {
      readonly op: 'pace';
      readonly every: number;
      readonly ahead: number;
      readonly steps: readonly Step[];
    };

export const HTTP_PROTOCOLS = ['h1', 'h2', 'h3'] as const;
export const PROTOCOLS = [...HTTP_PROTOCOLS, 'imap', 'smtp', 'dtls'] as const;
/** What is spoken inside: HTTP/1.1 and 2 over TLS, 3 over QUIC; mail's own over TLS; WebRTC, which begins with HTTP. */
export type Protocol = (typeof PROTOCOLS)[number];

/** What a client software has to be able to do. */
export type Ability = 'requests' | 'channels' | 'mail' | 'films' | 'talk';

/** By what a step is called in a scenario. */
export const NEEDS: Readonly<Record<string, Ability>> = {
  get: 'requests',
  post: 'requests',
  page: 'requests',
  channel: 'channels',
  imap: 'mail',
  smtp: 'mail',
  play: 'films',
  talk: 'talk',
};

/** One sitting of one user with one service: what a player gets as a line of JSON. */
export interface Activity {
  readonly id: string;
  readonly protocol: Protocol;
  /** Names; all are served on port 443. */
  readonly hosts: readonly string[];
  readonly steps: readonly Step[];
  /** Ends by then, whatever is left to do. */
  readonly within: number;
}
