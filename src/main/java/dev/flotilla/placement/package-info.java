/**
 * Plans which devices of which nodes each rank gets. Pure: it knows nodes as values, and neither
 * who told of them nor who starts anything.
 */
@NullMarked
package dev.flotilla.placement;

import org.jspecify.annotations.NullMarked;
