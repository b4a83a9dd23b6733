import { SandgateError } from '@sandgate/core';

export interface CaptchaOptions {
  readonly secret: string;
  /** Where tokens are verified: reCAPTCHA's, hCaptcha's and Turnstile's take the same form. */
  readonly verifyUrl: string;
}

export type VerifyCaptcha = (token: string | undefined, address: string) => Promise<void>;

const timeoutMs = 5_000;

/**
 * Asks the captcha's own server about a token. What it does not confirm in time is refused: a login
 * that passed because the check was down would be no check.
 */
export function createCaptchaVerifier({ secret, verifyUrl }: CaptchaOptions): VerifyCaptcha {
  return async (token, address) => {
    if (token === undefined || token === '') {
      throw new SandgateError('captcha_refused', 'recaptchaToken: is required on this server');
    }
    if (await confirmed(verifyUrl, { secret, response: token, remoteip: address })) return;
    throw new SandgateError('captcha_refused', 'recaptchaToken: was not confirmed. Try again');
  };
}

async function confirmed(url: string, fields: Record<string, string>): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(fields),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer: unknown = await response.json();
    return typeof answer === 'object' && answer !== null && 'success' in answer
      ? answer.success === true
      : false;
  } catch {
    return false;
  }
}
