declare module "weft:examples" {
  /** One of `operations`, as `build.js` reads them. */
  export interface Example {
    title: string;
    about: string;
    query: string;
    /** JSON, or nothing. A value `"<path.in.an.answer>"` stands for what an earlier example answered there. */
    variables: string;
  }
  const examples: readonly Example[];
  export default examples;
}

declare module "*.css";
