package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;

/** What reading gives: native elements in this machine's byte order, and where they lie. */
record HostTensor(DType dtype, Layout layout, HostBytes data) {}
