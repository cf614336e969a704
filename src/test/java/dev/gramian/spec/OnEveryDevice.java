package dev.gramian.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gramian.Device;
import dev.gramian.cuda.emulated.EmulatedCuda;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** Invokes a {@link DeviceSpec} once per device. */
final class OnEveryDevice implements TestTemplateInvocationContextProvider {
    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        return Device.all().stream().filter(OnEveryDevice::wanted).map(On::new);
    }

    /** {@code -Dgramian.devices=cuda,cpu:native}: the beginnings of the names of the devices to run on; default: all. */
    private static boolean wanted(Device d) {
        String names = System.getProperty("gramian.devices", "");
        return names.isEmpty() || Stream.of(names.split(",")).anyMatch(n -> d.name().startsWith(n.strip()));
    }

    private record On(Device device) implements TestTemplateInvocationContext {
        @Override
        public String getDisplayName(int index) {
            return "[" + device.name() + "]";
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(new OneDevice(device));
        }
    }

    private record OneDevice(Device device)
            implements
                ExecutionCondition,
                BeforeEachCallback,
                AfterEachCallback,
                ParameterResolver {
        private static boolean required(Device d) {
            String required = System.getProperty("gramian.require", "");
            return !required.isEmpty() && d.name().startsWith(required);
        }

        private static String noEmulation(Device d) {
            return d.name().startsWith("cuda") ? "; not emulated: " + EmulatedCuda.reason() : "";
        }

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return device.isAvailable() || required(device)
                    ? ConditionEvaluationResult.enabled("available, or required")
                    : ConditionEvaluationResult.disabled(device.name() + ": " + device.reason() + noEmulation(device));
        }

        @Override
        public void beforeEach(ExtensionContext context) {
            if (!device.isAvailable()) {
                fail(device.name() + " is required but unavailable: " + device.reason());
            }
        }

        @Override
        public void afterEach(ExtensionContext context) {
            if (device.name().startsWith("cuda") && EmulatedCuda.isActive()) {
                // writes out of bounds and the like; the tests that come after this one shall not fail by them
                List<String> errors = EmulatedCuda.takeErrors();
                EmulatedCuda.reset();
                assertEquals(List.of(), errors, "what the emulation noticed on " + device.name());
            }
            if (context.getExecutionException().isEmpty()) {
                assertEquals(0, device.liveBytes(), "bytes live on " + device.name() + " after the test");
            }
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Device.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return device;
        }
    }
}
