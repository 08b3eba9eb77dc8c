/*
 * probe.h - branches that a good test run must have taken.
 *
 * PROBE("journal_torn") marks a rare branch.  In podform it does nothing:
 * nobody defines probe_seen(), so the linker makes its address null and what
 * is left is one comparison.  The simulation defines it and counts
 * (tests/simulation/probes.c); a probe that no story of a run has seen fails
 * that run.  -DPODFORM_NO_PROBES compiles them out altogether.
 *
 * A probe has no effect and must stay that way: it records that a line was
 * reached, never why.
 */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#ifdef PODFORM_NO_PROBES
#define PROBE(text) ((void)0)
#else
/* `probe` is the place of its name in the section of all names. */
__attribute__((weak)) void probe_seen(const char *const *probe);

#define PROBE(text) \
	do { \
		static const char *const probe_name_ \
		    __attribute__((section("podform_probes"), used)) = text; \
		if (probe_seen != NULL) \
			probe_seen(&probe_name_); \
	} while (0)
#endif

#endif
