package dev.gramian;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DTypeException;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Lifetime;
import dev.gramian.core.Replay;
import dev.gramian.core.ShapeException;
import dev.gramian.core.Spec;
import dev.gramian.core.Step;
import dev.gramian.core.Storage;
import dev.gramian.core.View;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * A function of tensors kept as the sequence of its operations: {@link #run} repeats them on other operands of the same
 * shapes and types. On CUDA the sequence is a graph, which costs the host a few microseconds however many operations it
 * has; on other devices it saves the checks and allocations.
 *
 * <p>The function runs once, when the recording is made; what it decides then stays decided. It must not read values.
 * Tensors it uses beside its operands (weights) are used again each time and must stay alive. Random numbers repeat, as
 * their seeds do. Memory: operands, results and everything in between, until {@link #close} or the end of the scope.
 * A recording belongs to its scope's thread.
 */
public final class Recording implements AutoCloseable {
    private final Scope scope;
    private final Tensor[] slots;
    private final Tensor[] results;
    private final List<Storage> owned = new ArrayList<>();
    private final Storage ticket;
    private final Replay replay;
    /** Lives of tensors that are neither slots nor made by the function. */
    private final List<Lifetime> borrowed;
    private final int steps;

    /** Runs {@code function} once on copies of {@code examples}; {@code scope} owns the memory. */
    public static Recording of(Scope scope, Function<Tensor[], Tensor[]> function, Tensor... examples) {
        return new Recording(scope, function, examples);
    }

    private Recording(Scope scope, Function<Tensor[], Tensor[]> function, Tensor[] examples) {
        this.scope = scope;
        notInside("record");
        slots = new Tensor[examples.length];
        Recorder recorder = new Recorder();
        Tensor[] made = null;
        Scope inner = null;
        try {
            for (int i = 0; i < examples.length; i++) {
                slots[i] = scope.block("recording", examples[i].view().spec());
                owned.add(slots[i].view().storage());
                scope.assign(slots[i], examples[i]);
            }
            inner = Scope.inner("record", scope.device());
            inner.record(recorder);
            made = function.apply(slots.clone());
            inner.close();
        } finally {
            boolean failed = made == null;
            if (failed && inner != null) {
                inner.closeAll();
            }
            for (Storage s : recorder.retained) {
                scope.hold(s, "recording");
                owned.add(s);
            }
            if (failed) {
                owned.forEach(scope::release);
            }
        }
        steps = recorder.steps.size();
        // the function's results, whose scope has closed, again as tensors of memory that the recording keeps
        results = new Tensor[made.length];
        for (int i = 0; i < made.length; i++) {
            results[i] = new Tensor(made[i].view(), scope.device());
        }
        borrowed = borrowed(recorder.steps);
        boolean done = false;
        Replay prepared = null;
        try {
            replay = scope.room(() -> scope.backend().prepare(List.copyOf(recorder.steps)));
            prepared = replay;
            // ends with the scope too, where nobody closes the recording
            ticket = scope.room(() -> scope.backend().wrap(MemorySegment.NULL, replay::close));
            scope.hold(ticket, "recording");
            done = true;
        } finally {
            if (!done) {
                if (prepared != null) {
                    prepared.close();
                }
                owned.forEach(scope::release);
            }
        }
    }

    private void notInside(String op) {
        if (Scope.isRecording(scope.device())) {
            throw new GramianException(op + ": a recording is being made already; scope on " + scope.device().name()
                    + "; inside it call the function itself");
        }
    }

    private List<Lifetime> borrowed(List<Step> steps) {
        Set<Storage> own = Collections.newSetFromMap(new IdentityHashMap<>());
        own.addAll(owned);
        Set<Lifetime> lives = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Step s : steps) {
            for (View[] views : new View[][] {s.in(), s.out()}) {
                for (View v : views) {
                    if (!own.contains(v.storage())) {
                        lives.add(v.storage().lifetime());
                    }
                }
            }
        }
        return List.copyOf(lives);
    }

    /** Number of operations. */
    public int size() {
        return steps;
    }

    /** Bytes the recording holds. */
    public long bytes() {
        return owned.stream().mapToLong(Storage::bytes).sum();
    }

    /**
     * The function's results for these operands, of the shapes and types it was recorded with, as fresh tensors of the
     * innermost open scope.
     */
    public Tensor[] run(Tensor... operands) {
        if (!ticket.lifetime().isOpen()) {
            throw new ClosedException("replay: recording is closed; " + this + "; make another");
        }
        notInside("replay");
        check(operands);
        Lifetime[] pins = new Lifetime[borrowed.size()];
        try {
            for (int i = 0; i < pins.length; i++) {
                Lifetime life = borrowed.get(i);
                boolean foreign = life.thread() != Thread.currentThread();
                if (!life.isOpen() || foreign && !life.pin()) {
                    throw new ClosedException("replay: a tensor the function uses is gone; " + this + ", "
                            + life.name() + "; keep weights in a scope that lives as long as the recording");
                }
                pins[i] = foreign ? life : null;
            }
            for (int i = 0; i < slots.length; i++) {
                scope.assign(slots[i], operands[i]);
            }
            replay.run();
        } finally {
            for (Lifetime life : pins) {
                if (life != null) {
                    life.unpin();
                }
            }
        }
        Tensor[] copies = new Tensor[results.length];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = results[i].copy();
        }
        return copies;
    }

    private void check(Tensor[] operands) {
        if (operands.length != slots.length) {
            throw new ShapeException("replay: " + operands.length + " operands for " + slots.length + "; " + this
                    + "; give as many as it was recorded with");
        }
        for (int i = 0; i < slots.length; i++) {
            Spec is = operands[i].view().spec();
            Spec was = slots[i].view().spec();
            if (operands[i].device() != scope.device()) {
                throw new DeviceException("replay: operand " + i + " is on another device; " + is + " is on "
                        + operands[i].device().name() + ", the recording on " + scope.device().name()
                        + "; move it with .to(device)");
            }
            if (is.dtype() != was.dtype()) {
                throw new DTypeException(
                        "replay: operand " + i + " has another element type; " + is + ", recorded with "
                                + was + "; cast it, or make another recording");
            }
            if (!is.shape().equals(was.shape())) {
                throw new ShapeException("replay: operand " + i + " has another shape; " + is + ", recorded with " + was
                        + "; make another recording for it");
            }
        }
    }

    /** Frees what the recording holds. Closing twice is harmless. */
    @Override
    public void close() {
        if (ticket.lifetime().isOpen()) {
            scope.release(ticket);
            owned.forEach(scope::release);
        }
    }

    @Override
    public String toString() {
        return "recording of " + steps + " operations on " + scope.device().name();
    }
}
