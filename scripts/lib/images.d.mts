export const imageNames: { server: string; web: string };
export function missingImageTools(): string | undefined;
export function storeFlags(): Promise<string[]>;
export function buildImages(runtime: string): Promise<void>;
