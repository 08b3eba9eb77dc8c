/*
 * keys_parts.h - what pkg/ssh's parts know of keys; private to pkg/ssh.
 */
#ifndef SSH_KEYS_PARTS_H
#define SSH_KEYS_PARTS_H

#include "crypto/crypto.h"
#include "ssh/keys.h"

/* A key that may be offered: ours to sign with, or an agent's. */
struct identity {
	struct str blob;		/* public key */
	struct str words;		/* "the project's key", for people */
	const struct crypto_key *key;	/* NULL: an agent's */
	struct str agent;		/* its socket */
};

enum {
	/* sshd hangs up after six that it does not take (MaxAuthTries). */
	IDENTITIES_MAX = 6,
	AGENT_MS = 3000,		/* to list its keys */
	AGENT_SIGN_MS = 20 * 1000,	/* to sign: it may ask somebody */
};

struct identities {
	struct identity list[IDENTITIES_MAX];
	size_t n;
};

/*
 * Begin the list for a session whose target names key_path (or not): all
 * that files hold.  False with a reason if that file cannot be used; nobody
 * is asked for a passphrase now.  *agent is the socket of the agent whose
 * keys come after them, or absent.
 */
bool keys_offer(struct ssh_keys *keys, struct str key_path,
    struct identities *out, struct str *agent, struct str *why);
/* Add one unless it is there already or the list is full. */
void identities_add(struct identities *identities,
    const struct identity *identity);

/*
 * May we sign this?  It must be the request of RFC 4252, section 7, of this
 * user with this key, and nothing else: a signature is worth whatever can be
 * made of it elsewhere.
 */
bool keys_is_login(struct str data, struct str user, struct str blob);

/* ------------------------------------------------------ our own ssh-agent -- */

struct own_agent;

/* An ssh-agent in a directory of its own, ended by own_agent_free() or, if
 * we are killed, by itself within seconds.  NULL with a reason. */
struct own_agent *own_agent_start(const char **why);
void own_agent_free(struct own_agent *agent);	/* NULL is harmless */
struct str own_agent_socket(const struct own_agent *agent);
/* Let ssh-add ask for the passphrase on the terminal. */
bool own_agent_add(struct own_agent *agent, const char *path,
    const char **why);

#endif
