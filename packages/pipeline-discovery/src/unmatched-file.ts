/** One of the files of a root of which none is named as the template and the roles say. */
export interface UnmatchedFile {
  /** Absolute path of the root folder. */
  readonly root: string;
  /** Name of the file, without its folder. */
  readonly name: string;
}
