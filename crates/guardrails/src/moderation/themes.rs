use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

/// What a word is about: a bit for each theme.
pub(super) type Themes = u32;

/// The themes of `word`, in lower case; `None` where it has none.
pub(super) fn themes(word: &str) -> Option<Themes> {
    TABLE.get(word).copied()
}

/// A hash of words, which are the crate's own and hold off no attacker.
#[derive(Default)]
struct Words(u64);

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

static TABLE: LazyLock<HashMap<&str, Themes, BuildHasherDefault<Words>>> = LazyLock::new(|| {
    let mut themes: HashMap<&str, Themes, _> = HashMap::default();
    for (theme, words) in WORDS {
        words.split_whitespace().for_each(|word| *themes.entry(word).or_default() |= theme);
    }
    themes
});

/// What the themes are called, by bit.
pub(super) const NAMES: [&str; 20] = [
    "sexual",
    "minor",
    "slur",
    "group",
    "contempt",
    "violence",
    "gore",
    "self-harm",
    "profane",
    "second",
    "first",
    "intent",
    "factual",
    "body",
    "death",
    "others",
    "age",
    "praise",
    "military",
    "offer",
];

const SEXUAL: Themes = 1;
const MINOR: Themes = 1 << 1;
const SLUR: Themes = 1 << 2;
const GROUP: Themes = 1 << 3;
const CONTEMPT: Themes = 1 << 4;
const VIOLENCE: Themes = 1 << 5;
const GORE: Themes = 1 << 6;
const SELF_HARM: Themes = 1 << 7;
const PROFANE: Themes = 1 << 8;
const SECOND: Themes = 1 << 9;
const FIRST: Themes = 1 << 10;
const INTENT: Themes = 1 << 11;
const FACTUAL: Themes = 1 << 12;
const BODY: Themes = 1 << 13;
const DEATH: Themes = 1 << 14;
const OTHERS: Themes = 1 << 15;
const AGE: Themes = 1 << 16;
const PRAISE: Themes = 1 << 17;
const MILITARY: Themes = 1 << 18;
const OFFER: Themes = 1 << 19;

/// Words by theme; one may stand under several.
const WORDS: [(Themes, &str); 20] = [
    (
        SEXUAL,
        "sex sexy sexual sexually porn porno pornographic xxx nude naked horny orgasm cum cumshot cock dick penis pussy vagina clit tits boobs boob \
         anal blowjob handjob dildo vibrator erotic erotica erection erect masturbate masturbating masturbation jerk wank fuck fucking fucked \
         milf threesome gangbang bdsm bondage fetish kinky slut whore hooker escort escorts hookup hooking webcam camgirl cams stripper striptease \
         lingerie panties thong nipple nipples breast breasts moan moaned moaning thrust thrusting lick licked licking suck sucked sucking \
         ejaculate semen sperm hardcore softcore hentai incest seduce seduced seductive aroused arousal bareback creampie deepthroat swinger swingers \
         lesbian lesbians shemale ass asshole butt topless undress undressed intercourse foreplay rape raped virginity busty hottie pornstar dating",
    ),
    (
        MINOR,
        "child children kid kids minor minors underage teen teens teenage teenager teenagers schoolgirl schoolgirls schoolboy girl girls boy boys \
         daughter son niece nephew preteen tween toddler baby infant loli lolita shota kindergarten schoolyard classmate youngster young younger \
         twelve thirteen fourteen fifteen sixteen grade grader puberty pedo pedophile paedophile molest molested stepdaughter sister brother",
    ),
    (
        SLUR,
        "nigger niggers nigga niggas negro negroes coon coons spic spics wetback wetbacks beaner beaners chink chinks gook gooks jap japs kike kikes \
         heeb yid raghead ragheads towelhead sandnigger paki pakis gypsy gypo faggot faggots fag fags dyke dykes tranny trannies homo homos queer \
         retard retards retarded cripple mongoloid whitey cracker honky redskin redskins kraut goy goyim mudslime muzzie muzzies savages subhuman \
         subhumans untermensch vermin cockroach cockroaches thot thots cunt cunts bitches hoes feminazi libtard libtards tard shitskin",
    ),
    (
        GROUP,
        "jew jews jewish muslim muslims islam islamic christian christians catholic catholics hindu hindus buddhist atheist atheists black blacks \
         white whites asian asians african africans mexican mexicans chinese indian indians arab arabs hispanic latino latinos immigrant immigrants \
         migrant migrants refugee refugees gay gays lesbian lesbians trans transgender transgenders homosexual homosexuals lgbt lgbtq bisexual women \
         woman female females men feminist feminists disabled autistic autist deaf blind race races ethnic religion religions mosque synagogue \
         foreigners minorities natives palestinians israelis russians ukrainians turks roma zionist zionists",
    ),
    (
        CONTEMPT,
        "stupid idiot idiots moron morons dumb dumbass loser losers pathetic worthless useless disgusting filthy dirty scum scumbag trash garbage \
         ugly fat pig pigs dog dogs animal animals rat rats monkey monkeys ape apes bug bugs parasite parasites plague disease inferior degenerate \
         degenerates hate hates hated despise coward cowards clown liar liars creep creepy freak freaks weirdo weak crazy insane ignorant evil \
         criminals thugs thug rapists terrorists invaders imbecile fool fools bastard bastards jackass shithead dipshit bitch lazy disgrace shame",
    ),
    (
        VIOLENCE,
        "kill kills killed killing murder murders murdered murdering shoot shooting shot gun guns rifle stab stabbed stabbing knife knives beat \
         beating beaten punch punched punching kick kicked kicking attack attacked attacking bomb bombs bombing explode explosion burn burned burning \
         slaughter slaughtered massacre execute executed execution behead beheaded lynch lynched hang hanged hanging strangle strangled choke choked \
         torture tortured rape raped assault assaulted destroy exterminate extermination genocide annihilate gas gassed cull weapon weapons violent \
         violence fight kys slap slapped smash smashed whip whipped threaten threatened threat hurt nuke nuked eradicate wipe purge",
    ),
    (
        GORE,
        "blood bloody bleeding bled gore guts intestines entrails brains skull skulls severed sever decapitated dismember dismembered mutilate \
         mutilated corpse corpses flesh rotting wound wounds slit slashed slash ripped tore torn limb limbs bone bones impaled carcass organs gouged \
         eyeballs splattered oozing pus maggots burnt charred crushed stabbed screaming scream agony throat",
    ),
    (
        SELF_HARM,
        "suicide suicidal overdose overdosed selfharm cutting cutter cuts razor razors blades noose self harm harming harmed starve starving anorexia \
         anorexic bulimia purging thinspo hopeless pills scars wrists wrist myself ending relapse relapsed therapist depressed depression",
    ),
    (
        PROFANE,
        "fuck fucking fucked fucker fuckers motherfucker motherfuckers shit shitty bullshit damn goddamn hell crap piss pissed ass asshole assholes \
         bitch bitching bastard cunt wtf stfu dick prick twat wanker bollocks douche arse",
    ),
    (SECOND, "you your yours yourself u ur youre ya yall"),
    (FIRST, "i me my mine myself im ive"),
    (INTENT, "will shall gonna going must should want wants wanna need needs deserve deserves let lets ought hope wish ill plan planning"),
    (
        FACTUAL,
        "said according report reported reports police court government article published study research university company percent president \
         officials law legal policy committee data results analysis season team match service product customers website software business economic \
         international department minister election court chapter species patients treatment",
    ),
    (
        BODY,
        "body mouth lips tongue throat hips thighs thigh legs chest skin hair hands fingers hand finger hole tight wet hard deep bed shower kiss \
         kissed kissing touch touched touching bare hot massage",
    ),
    (DEATH, "die dies died dying dead death deaths life live living alive end"),
    (OTHERS, "they them their theirs these those all every people he him his she her"),
    (AGE, "year years old yo aged age ages birthday school highschool grade virgin young petite tiny little innocent"),
    (
        PRAISE,
        "love loved glad happy good great awesome hilarious funny enjoy enjoyed deserved cheer hero heroes fun laugh laughed proud pleasure \
         satisfying beautiful lol lmao haha",
    ),
    (
        MILITARY,
        "war wars army soldier soldiers troops military battle battles enemy forces missile missiles tank tanks weapon weapons navy marines colonel \
         general invasion combat regiment",
    ),
    (
        OFFER,
        "free online chat meet singles looking video videos photos pics click website site app watch live girls members profile call whatsapp \
         available service services private hot real download stream streaming amateur",
    ),
];

/// Themes that say something where they stand close to each other.
pub(super) const PAIRS: [(&str, Themes, Themes); 21] = [
    ("sexual, minor", SEXUAL, MINOR),
    ("sexual, body", SEXUAL, BODY),
    ("minor, body", MINOR, BODY),
    ("group, contempt", GROUP | SLUR, CONTEMPT | SLUR),
    ("group, violence", GROUP | SLUR, VIOLENCE),
    ("second, contempt", SECOND, CONTEMPT | SLUR | PROFANE),
    ("intent, violence", INTENT, VIOLENCE | DEATH),
    ("second, violence", SECOND, VIOLENCE | DEATH),
    ("others, violence", OTHERS, VIOLENCE),
    ("first, self-harm", FIRST, SELF_HARM),
    ("first, death", FIRST, DEATH),
    ("violence, gore", VIOLENCE, GORE),
    ("gore, body", GORE, BODY),
    ("sexual, age", SEXUAL | BODY, AGE),
    ("minor, age", MINOR, AGE),
    ("praise, violence", PRAISE, VIOLENCE | DEATH),
    ("sexual, offer", SEXUAL, OFFER),
    ("group, intent", GROUP | SLUR, INTENT),
    ("second, intent", SECOND, INTENT),
    ("group, group", GROUP | SLUR, GROUP | SLUR),
    ("slur, violence", SLUR | CONTEMPT, VIOLENCE | DEATH),
];
