#!/usr/bin/env bash
# Puts llama.cpp's own programs (llama-server, llama-bench, llama-quantize) into a directory and prints its path: what the
# tests of the language model and `make bench-sample` compare with. They are Debian unstable's, unpacked beside the system.
# Elsewhere install llama.cpp as its own documentation says; the tests find llama-server on the PATH or where LLAMA_SERVER says.
#
#   .ci/llama.cpp [DIR]     without DIR: in the user's cache
set -euo pipefail

dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/jupiter/llama.cpp}
programs=(llama-server llama-bench llama-quantize)
if [ -x "$dir/${programs[0]}" ] && "$dir/${programs[0]}" --version >/dev/null 2>&1; then
  echo "$dir"
  exit 0
fi

rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
"$(dirname "$0")/debian" "$dir/system" llama.cpp-tools >&2

# The kernels for the processor: llama.cpp would look for them below /usr.
kernels=x64
! grep -qw avx2 /proc/cpuinfo || kernels=haswell
backend=$(find "$dir/system" -name "libggml-cpu-$kernels.so" | head -n 1)
[ -n "$backend" ] || backend=$(find "$dir/system" -name 'libggml-cpu-*.so' | sort | head -n 1)
loader=$(find "$dir/system" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$(find "$dir/system" -name 'libc.so.6' | head -n 1)")
for program in "${programs[@]}"; do
  cat >"$dir/$program" <<RUN
#!/bin/sh
export GGML_BACKEND_PATH="\${GGML_BACKEND_PATH:-$backend}"
exec "$loader" --library-path "$libraries:$libraries/llama" "$dir/system/usr/bin/$program" "\$@"
RUN
  chmod +x "$dir/$program"
done
"$dir/${programs[0]}" --version >/dev/null 2>&1 || { echo "llama.cpp: what was unpacked does not run" >&2; exit 1; }
echo "$dir"
