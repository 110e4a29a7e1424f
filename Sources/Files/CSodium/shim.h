// libsodium comes with libzmq3-dev: libzmq's CURVE stands on it. Its SHA-256 is the one used here.
#include <sodium/crypto_hash_sha256.h>
