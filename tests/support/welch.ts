/** By Welford's method. */
function momentsOf(samples: readonly number[]) {
  let mean = 0;
  let squares = 0;
  samples.forEach((sample, index) => {
    const difference = sample - mean;
    mean += difference / (index + 1);
    squares += difference * (sample - mean);
  });
  return { count: samples.length, mean, variance: squares / (samples.length - 1) };
}

/**
 * Welch's t of the question whether two means are further apart than is tolerated: by how many
 * standard errors they are, whatever the variances are. Negative when they are nearer.
 */
export function welchT(
  first: readonly number[],
  second: readonly number[],
  tolerated: number,
): number {
  const a = momentsOf(first);
  const b = momentsOf(second);
  const standardError = Math.sqrt(a.variance / a.count + b.variance / b.count);
  return (Math.abs(a.mean - b.mean) - tolerated) / standardError;
}
