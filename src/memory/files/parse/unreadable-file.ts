/** A file that cannot be read, and never will be: the message says why, and what to do. */
export class UnreadableFile extends Error {}
