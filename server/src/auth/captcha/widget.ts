/** The widget of the captcha on a page of ours: the one thing that a page of this server ever loads from elsewhere. */
import { type Html, html } from "../oauth/pages/page.ts";
import type { Captcha } from "./config.ts";

/** The field of a form in which the widget puts what it has to say. */
export const RESPONSE = "g-recaptcha-response";

export function captchaWidget({ siteKey, base }: Captcha): Html {
  return html`<div class="g-recaptcha" data-sitekey="${siteKey}"></div>
    <noscript><p class="quiet">To show that you are no robot this page needs scripts.</p></noscript>
    <script src="${base}/api.js" async defer></script>`;
}

/** The headers of a page with the widget: scripts and frames from where it is, and from nowhere else. It writes styles into the page. */
export function captchaHeaders({ base }: Captcha): Record<string, string> {
  const host = new URL(base).hostname;
  const isGoogles = host === "www.google.com" || host === "www.recaptcha.net";
  const scripts = isGoogles ? " https://www.gstatic.com/recaptcha/" : "";
  const frames = isGoogles ? " https://recaptcha.google.com/recaptcha/" : "";
  const sources = [
    "default-src 'none'",
    "style-src 'self' 'unsafe-inline'",
    `script-src ${base}/${scripts}`,
    `frame-src ${base}/${frames}`,
    `connect-src ${base}/`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return { "content-security-policy": sources.join("; ") };
}
