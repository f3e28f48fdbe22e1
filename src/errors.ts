// Faults of set-up and input. Hostile bytes are not among them: those are counted, never thrown (STYLE 2.6).

/** A fault with a stable `code`; the message says what was tried, the value, what was expected and how to mend it. */
export class SluiceError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A person's input is wrong: file, flag, value. The command line ends with exit code 2. */
export class InputError extends SluiceError {}

/** The capture side cannot work: addon not built, impossible sizes. */
export class CaptureError extends SluiceError {}

/** A model bundle is missing, damaged or made for another version. */
export class BundleError extends SluiceError {}

/** A configuration is wrong: every fault is a line of the message. */
export class ConfigError extends SluiceError {}

/** The spool of reports cannot be opened, or cannot take a report now; what it holds stays. */
export class SpoolError extends SluiceError {}
