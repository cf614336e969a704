package dev.gramian;

import dev.gramian.core.Op;
import dev.gramian.core.Step;
import dev.gramian.core.Storage;
import dev.gramian.core.View;
import java.util.ArrayList;
import java.util.List;

/** What a scope tells of while a {@link Recording} is made: operations in order, and memory that would have been freed. */
final class Recorder {
    final List<Step> steps = new ArrayList<>();
    final List<Storage> retained = new ArrayList<>();

    void ran(Op op, View[] in, View[] out) {
        steps.add(new Step(op, in.clone(), out.clone()));
    }

    void retain(Storage s) {
        retained.add(s);
    }
}
