/** Notifications of this device end in the browser. On the server they end with the session. */

/** In local storage: the key of the pusher, while notifications are wanted on this device. */
export const KEPT = "parley.push";

export async function forgetPush(): Promise<void> {
  localStorage.removeItem(KEPT);
  const registration = await navigator.serviceWorker?.getRegistration();
  const subscription = await registration?.pushManager?.getSubscription();
  for (const notification of (await registration?.getNotifications()) ?? []) notification.close();
  await subscription?.unsubscribe();
}
