package dev.gramian;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;

/**
 * Holds the package arrows: {@code cli -> dev.gramian -> cpu, cuda -> natives, core}, and {@code io}, {@code linalg},
 * {@code attention} on {@code dev.gramian} and {@code core} alone; {@code nn} on {@code attention} and {@code io} too,
 * {@code adapt} on {@code linalg} and {@code io}.
 */
@AnalyzeClasses(packages = "dev.gramian", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    @ArchTest
    static final ArchRule packagesFormNoCycle = slices().assignedFrom(new EachPackage()).should().beFreeOfCycles();

    @ArchTest
    static final ArchRule coreImportsNothingOfOurs = noClasses()
            .that().resideInAPackage("dev.gramian.core..")
            .should().dependOnClassesThat(JavaClass.Predicates.resideInAnyPackage("dev.gramian..")
                    .and(DescribedPredicate.not(
                            JavaClass.Predicates.resideInAPackage("dev.gramian.core.."))))
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule nativesImportsCoreAlone = imports("dev.gramian.natives", "dev.gramian.core");

    @ArchTest
    static final ArchRule cpuImportsLeavesAlone = imports("dev.gramian.cpu", "dev.gramian.core", "dev.gramian.natives");

    @ArchTest
    static final ArchRule cudaImportsLeavesAlone = imports("dev.gramian.cuda", "dev.gramian.core",
            "dev.gramian.natives");

    @ArchTest
    static final ArchRule analysisIsComposed = imports("dev.gramian.analysis", "dev.gramian", "dev.gramian.core",
            "dev.gramian.linalg");

    @ArchTest
    static final ArchRule vectorsIsComposed = imports("dev.gramian.vectors", "dev.gramian", "dev.gramian.core",
            "dev.gramian.linalg");

    @ArchTest
    static final ArchRule adaptIsComposed = imports("dev.gramian.adapt", "dev.gramian", "dev.gramian.core",
            "dev.gramian.linalg", "dev.gramian.io");

    @ArchTest
    static final ArchRule onlyCliDraws = noClasses()
            .that().resideOutsideOfPackage("dev.gramian.cli")
            .should().dependOnClassesThat().resideInAnyPackage("org.knowm..", "org.apache.batik..", "java.awt..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule layersAreComposed = imports("dev.gramian.nn", "dev.gramian", "dev.gramian.core",
            "dev.gramian.attention", "dev.gramian.io");

    @ArchTest
    static final ArchRule onlyCudaNamesJcuda = noClasses()
            .that().resideOutsideOfPackage("dev.gramian.cuda..")
            .should().dependOnClassesThat().resideInAnyPackage("jcuda..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule nobodyLooksForModulesInTheBootLayer = noClasses()
            .should().callMethod(ModuleLayer.class, "boot")
            .because("bin/gramian loads the vector module outside it; ask CpuPath.vectorModule()");

    private static ArchRule imports(String who, String... allowed) {
        return noClasses()
                .that().resideInAPackage(who)
                .should().dependOnClassesThat(JavaClass.Predicates.resideInAnyPackage("dev.gramian..")
                        .and(DescribedPredicate.not(JavaClass.Predicates.resideInAnyPackage(allowed)))
                        .and(DescribedPredicate.not(JavaClass.Predicates.resideInAPackage(who))));
    }

    /** A slice per package, the root package among them. */
    private static final class EachPackage implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            return SliceIdentifier.of(javaClass.getPackageName());
        }

        @Override
        public String getDescription() {
            return "packages";
        }
    }

    private ArchitectureTest() {}
}
