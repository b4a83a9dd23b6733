/**
 * Answers as soon as there is an answer, while the work behind it goes on: `respond` gives one whose
 * body is still being written. What the work gives in the end is null then.
 */
export async function earlyAnswer(
  work: (respond: (response: Response) => void) => Promise<Response | null>,
): Promise<Response> {
  let respond: (response: Response) => void = () => undefined;
  const early = new Promise<Response>((resolve) => {
    respond = resolve;
  });
  const whole = work(respond);
  return await Promise.race([early, whole.then((response) => response ?? early)]);
}
