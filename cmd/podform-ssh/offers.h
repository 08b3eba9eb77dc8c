/*
 * offers.h - the algorithms we speak, and what a server offers instead.
 */
#ifndef PODFORM_SSH_OFFERS_H
#define PODFORM_SSH_OFFERS_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Offer what is sound, and of that what the linked libssh2 has: 1.10 neither
 * AES-GCM, ChaCha20, encrypt-then-MAC nor rsa-sha2; newer ones some of them.
 * CBC, SHA-1 and MD5 stay out, which also leaves nothing to CVE-2023-48795.
 */
bool offers_prefer(LIBSSH2_SESSION *session);

/*
 * Why nothing could be agreed upon: "offers only ssh-rsa as host key; ...".
 * offer is the server's first packet, from its length on.  False when it
 * tells no reason.
 */
bool offers_explain(LIBSSH2_SESSION *session, const unsigned char *offer,
    size_t offer_size, char *text, size_t size);

#endif
