<?php
// What do the rules of the DSA Transparency Database say of statements of reasons?  One statement a line comes in, as
// JSON; one line goes out: which fields are refused by its rules for one statement, and by those for many.
//
//     php bench/reasons_peer.php DATABASE FRAMEWORK < statements
//
// DATABASE is a checkout of github.com/digital-services-act/transparency-database, FRAMEWORK one of
// github.com/laravel/framework at the version that it locks; the other libraries are Debian's (php-brick-math,
// php-nesbot-carbon, php-symfony-http-foundation, php-symfony-translation).  Nothing of theirs is here.

error_reporting(E_ALL & ~E_DEPRECATED);
[, $database, $framework] = $argv;
if (! function_exists('array_last')) {
    function array_last(array $values) { return $values ? end($values) : null; }
    function array_first(array $values) { return $values ? reset($values) : null; }
}
$folders = [
    'Illuminate\\' => "$framework/src/Illuminate/",
    'App\\' => "$database/app/",
    'Carbon\\' => '/usr/share/php/Carbon/',
    'Brick\\Math\\' => '/usr/share/php/Brick/Math/',
    'Symfony\\' => '/usr/share/php/Symfony/',
    'Doctrine\\Inflector\\' => '/usr/share/php/Doctrine/Inflector/',
    'Psr\\' => '/usr/share/php/Psr/',
];
spl_autoload_register(function (string $class) use ($folders) {
    foreach ($folders as $prefix => $folder) {
        if (! str_starts_with($class, $prefix)) {
            continue;
        }
        $path = str_replace('\\', '/', substr($class, strlen($prefix))).'.php';
        foreach (['', 'Collections/', 'Macroable/', 'Conditionable/', 'Reflection/'] as $moved) {
            $file = $folder.($moved === '' ? $path : preg_replace('#^Support/#', $moved, $path));
            if (is_file($file)) {
                require_once $file;

                return;
            }
        }
    }
});
foreach (['Collections/functions', 'Collections/helpers', 'Support/functions', 'Support/helpers', 'Reflection/helpers'] as $file) {
    if (is_file("$framework/src/Illuminate/$file.php")) {
        require_once "$framework/src/Illuminate/$file.php";
    }
}

class One extends App\Http\Requests\StatementStoreRequest
{
    public function __construct(public array $said) {}

    public function get(string $key, mixed $default = null): mixed
    {
        return $this->said[$key] ?? $default;
    }
}

// As its middleware does with every request: blanks go, and what is empty is null.
function trimmed(mixed $value): mixed
{
    if (is_array($value)) {
        return array_map('trimmed', $value);
    }

    return is_string($value) ? (Illuminate\Support\Str::trim($value) ?: (trim($value) === '0' ? '0' : null)) : $value;
}

$validators = new Illuminate\Validation\Factory(
    new Illuminate\Translation\Translator(new Illuminate\Translation\ArrayLoader, 'en')
);
$service = (new ReflectionClass('App\\Services\\GroupedSubmissionsService'))->newInstanceWithoutConstructor();
$many = new ReflectionMethod($service, 'multi_rules');
$has = fn (array $said, string $field, string $value) => is_array($said[$field] ?? null) && in_array($value, $said[$field], true);
while (($line = fgets(STDIN)) !== false) {
    $said = trimmed(json_decode($line, true));
    $others = [
        $has($said, 'decision_visibility', 'DECISION_VISIBILITY_OTHER'),
        $has($said, 'content_type', 'CONTENT_TYPE_OTHER'),
    ];
    $one = $validators->make($said, (new One($said))->rules());
    $all = $validators->make($said, $many->invoke($service, ...$others));
    echo json_encode(['one' => array_keys($one->fails() ? $one->failed() : []),
        'many' => array_keys($all->fails() ? $all->failed() : [])]), "\n";
}
