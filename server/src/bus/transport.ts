/**
 * What an adapter is: a way to make one connection to its broker. Everything that all of them need (packing, connecting anew,
 * noticing that a connection is dead) is in remote.ts, once.
 */
export interface Transport<Packet> {
  /** As an operator would call it. */
  name: string;
  /** The setting that says where it is. */
  setting: string;
  /** The largest packet that it carries. */
  packet_bytes: number;
  /**
   * Makes one connection, which receives what every process sends on it, this one included. Rejects when it can not. The
   * connection never mends itself: when it is lost, it says so once, and another one is made.
   */
  connect(events: LinkEvents<Packet>): Promise<Link<Packet>>;
}

export interface LinkEvents<Packet> {
  onPacket(packet: Packet): void;
  /** The connection is gone. Not called for a connection that was closed. */
  onLost(reason: Error): void;
}

export interface Link<Packet> {
  /** Sends the packets in their order; resolves when more may be sent, and rejects when the connection is of no use any more. */
  send(packets: readonly Packet[]): Promise<void>;
  /** Gives the connection up at once. Never rejects, also when it is lost already. */
  close(): Promise<void>;
}
