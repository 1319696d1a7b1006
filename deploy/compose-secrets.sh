#!/bin/sh
# Makes the secrets of compose.yaml, once: each a file below deploy/secrets, which only you can enter. What is there is kept.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
# 192 bits, of letters and digits that an address takes as they are.
password() {
  [ -s "$1" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$1"
}
write() {
  [ -s "$1" ] || printf "$2" >"$1"
}
for name in postgres-superuser postgres-owner postgres-parley redis nats rabbitmq minio; do password "$name"; done
write database-url "postgres://parley:$(cat postgres-parley)@postgres:5432/parley"
write database-owner-url "postgres://parley_owner:$(cat postgres-owner)@postgres:5432/parley"
write redis-url "redis://:$(cat redis)@redis:6379/0"
write redis.conf "requirepass $(cat redis)\ndir /data\nappendonly yes\nappendfsync everysec\nmaxmemory 192mb\nmaxmemory-policy volatile-ttl\n"
write nats-url "nats://parley:$(cat nats)@nats:4222"
write nats.conf "http_port: 8222\nauthorization { user: parley, password: \"$(cat nats)\" }\n"
write rabbitmq-url "amqp://parley:$(cat rabbitmq)@rabbitmq:5672/parley"
write rabbitmq.conf "default_user = parley\ndefault_pass = $(cat rabbitmq)\ndefault_vhost = parley\n"
write minio-access-key parley
# The containers have accounts of their own, and see the files, not the folder.
chmod 444 ./*
