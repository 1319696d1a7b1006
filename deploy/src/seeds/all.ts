/** The five documents, in the order of the table. */
import { ageGraphExplorer } from "./age-graph-explorer.ts";
import { e2eePlatformStack } from "./e2ee-platform-stack.ts";
import { ircChat } from "./irc-chat.ts";
import { miniTelegram } from "./mini-telegram.ts";
import { starterChart } from "./starter-chart.ts";

export const seeds = [starterChart, e2eePlatformStack, miniTelegram, ircChat, ageGraphExplorer];
