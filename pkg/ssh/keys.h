/*
 * keys.h - private keys: the project's, those in files, those of an agent.
 *
 * Keys never leave this process: the worker asks for a signature over what
 * it would send, we look that it is a login of SSH as that user and nothing
 * else, and sign.
 *
 * Order in which a session offers them: the file that the target names (and
 * then no agent's), SSH_KEY_PATH, the project's key, the agent's keys.
 *
 * Files: OpenSSH format and PEM, ed25519 and ECDSA.  An encrypted one that
 * the user's agent has is signed with there; any other is given to an ssh-agent of our own through ssh-add, which asks for the
 * passphrase on the terminal; without a terminal it is an error that says
 * so.  RSA keys are refused before anything is connected: libssh2 1.10 signs
 * with SHA-1 only, which OpenSSH refuses since 8.8 (libssh2/libssh2#634).
 */
#ifndef SSH_KEYS_H
#define SSH_KEYS_H

#include "base/diag.h"
#include "base/mark.h"
#include "base/seams.h"
#include "base/str.h"

struct ssh_keys;

struct ssh_keys_config {
	const struct fs *fs;
	const struct chance *chance;
	/*
	 * Directory of the project's key, absolute:
	 * $XDG_DATA_HOME/podform/<lineage>; the file is id_ed25519 in it,
	 * 0600 in 0700, its public half beside it with .pub.
	 */
	struct str directory;
	struct str comment;		/* "podform quickstart": of a new key */
	struct str key_path;		/* SSH_KEY_PATH; absent for none */
	struct str agent;		/* SSH_AUTH_SOCK; absent for none */
	bool may_ask;			/* a passphrase, on the terminal */
};

struct ssh_keys *ssh_keys_new(const struct ssh_keys_config *config);
void ssh_keys_free(struct ssh_keys *keys);	/* ends our agent, too */

/*
 * Make the project's key if there is none, synced to disk; false with a
 * reason.  An older one is used for good: pods have its public half.
 */
bool ssh_keys_make(struct ssh_keys *keys, struct str *why);
/*
 * Have a key file ready (NULL: SSH_KEY_PATH): read it, ask for its
 * passphrase.  False with what is wrong and the way out (P-05, P-07): not
 * there, too open, RSA, a public key, PuTTY's format ...
 */
bool ssh_keys_load(struct ssh_keys *keys, struct str path, struct str *why);
/*
 * Would that succeed?  Nobody is asked for a passphrase, and where somebody
 * could be that is no mistake; offline the agent is not asked either.
 */
bool ssh_keys_check(struct ssh_keys *keys, struct str path, bool offline,
    struct str *why);

/*
 * Lines for authorized_keys: the project's public key first, then those of
 * the files loaded, of the agent and of ~/.ssh/id_*.pub (home: directory or
 * absent), each once, in the arena.
 */
struct str ssh_keys_public(struct ssh_keys *keys, struct arena *arena,
    struct str home);

#endif
