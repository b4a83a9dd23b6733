/** The number of a path; 0, which nothing has, for what is none. */
export const smallNumber = (text: string): number =>
  /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
