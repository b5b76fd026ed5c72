/**
 * Whole traces through a simulated fleet in virtual time: the balancer, rebalancer and scheduler
 * that serve, with steps that take what a cost model says.
 */
@NullMarked
package dev.flotilla.simulation.load;

import org.jspecify.annotations.NullMarked;
