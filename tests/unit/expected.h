/*
 * expected.h - compare a text with a file under tests/unit/expected.
 *
 * With UPDATE=1 in the environment the file is written instead; the change
 * is then read in review.
 */
#ifndef TESTS_EXPECTED_H
#define TESTS_EXPECTED_H

#include "base/str.h"

/* Fail the running cmocka test, showing the first line that differs. */
void expected_text(const char *name, struct str text);

/* The same for two texts; name is for the message. */
void expected_same(const char *name, struct str want, struct str have);

#endif
