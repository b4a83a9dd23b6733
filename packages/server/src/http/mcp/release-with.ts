/** The same answer, which says when its body has left, or is not going to be read any further. */
export function releaseWith(response: Response, release: () => void): Response {
  if (response.body === null) {
    release();
    return response;
  }
  const passing = new TransformStream<Uint8Array, Uint8Array>({ flush: release, cancel: release });
  return new Response(response.body.pipeThrough(passing), response);
}
