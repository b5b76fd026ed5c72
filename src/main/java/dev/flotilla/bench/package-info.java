/**
 * Drives an OpenAI-compatible endpoint and measures it. Knows nothing of engines, clusters or the
 * event bus: whatever speaks the HTTP API can be measured, so that figures can be put side by side.
 */
@NullMarked
package dev.flotilla.bench;

import org.jspecify.annotations.NullMarked;
