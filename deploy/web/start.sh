#!/bin/sh
# Writes nginx's configuration from the environment, and makes way for nginx.
#
#   API_BASE_URL  where the API is, such as http://parley-gateway:8080: what is below /_ and /.well-known/ goes there, and what is
#                 below /api/ without the /api
#   PORT          where to listen; 8087 by default
#
# WEB_ROOT and WEB_TMP are for tests.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tmp=${WEB_TMP:-/tmp}
root=${WEB_ROOT:-$here/web}
port=${PORT:-8087}
api=${API_BASE_URL:-}
api=${api%/}

refuse() {
  echo "$1" >&2
  exit 1
}
case $port in
  '' | *[!0-9]*) refuse "PORT is \"$port\": set it to the number of a port." ;;
esac
case $api in
  http://*) scheme=http ;;
  https://*) scheme=https ;;
  *) refuse "API_BASE_URL is \"$api\": set it to the address of the API, such as http://parley-gateway:8080." ;;
esac
host=${api#*://}
case $host in
  '' | *[!A-Za-z0-9.:_-]*) refuse "API_BASE_URL is \"$api\": set it to an address without a path, such as http://parley-gateway:8080." ;;
esac
name=${host%:*}
# nginx takes port 80 where none is named, whatever the scheme.
case $host in
  *:*) ;;
  *) [ "$scheme" = http ] || host=$host:443 ;;
esac
listen_6=
[ ! -s /proc/net/if_inet6 ] || listen_6="listen [::]:$port;"

sed -e "s|@PORT@|$port|; s|@LISTEN_6@|$listen_6|; s|@API_SCHEME@|$scheme|; s|@API_HOST@|$host|; s|@API_NAME@|$name|" \
  -e "s|@TMP@|$tmp|; s|@ROOT@|$root|" "$here/nginx.conf" >"$tmp/nginx.conf"
cp "$here/security-headers.conf" "$tmp/security-headers.conf"
exec nginx -e stderr -c "$tmp/nginx.conf" -g 'daemon off;'
