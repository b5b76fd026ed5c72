/**
 * Reads configuration, joins the cluster, deploys verticles; the command line; the only place where
 * parts are wired together.
 */
@NullMarked
package dev.flotilla;

import org.jspecify.annotations.NullMarked;
