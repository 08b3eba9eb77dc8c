/*
 * plant.h - bugs that are planted to see whether the simulation finds them.
 *
 * A checker that never fired is not known to work.  In an ordinary build
 * PLANTED() is false and costs nothing.  A build with -DPODFORM_PLANT (make
 * mutants) has a variable, set by tests/simulation/main.c, that switches one
 * of them on.  The list is in tests/simulation/README.md.
 */
#ifndef BASE_PLANT_H
#define BASE_PLANT_H

#ifdef PODFORM_PLANT
extern int podform_plant;
#define PLANTED(number) (podform_plant == (number))
#else
#define PLANTED(number) false
#endif

#endif
