use std::{collections::HashSet, sync::LazyLock};

/// Whether `word` is a given name that is common in one of six languages' countries.
pub(super) fn is_given(word: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| GIVEN.split_ascii_whitespace().collect());
    NAMES.contains(word.to_lowercase().as_str())
}

/// Left out are those that are words as well, as Mark, Grace, Will, April or Rose.
const GIVEN: &str = "
    aaron abigail adam adrian agnes agnieszka alan albert alberto alejandra alejandro alessandra alessandro alessia alex alexander alexandra alexandre alexis alfonso alfred alice
    alicia alina amanda amelia ana andrea andreas andrew andrzej angela angelika anita anja anke ann anna anne anneke annette anthony antje antoine antonella antonio anton arjen arthur
    astrid aurélie barbara bart bartosz bas beata beatrice beatriz benedikt benjamin bernard bernd bertrand birgit björn bogdan brian bruno camille carla carlos carmen carol caroline
    catherine cécile céline charles charlotte chiara chloé chris christian christina christine christoph christopher claire clara claudia claudio clément concetta cornelia cristina
    cynthia damian dan daniel daniela daniele danny dariusz david davide debora deborah denise dennis diana diane diego dieter dirk dolores dominik dominique donald donna dorota dorothea
    edoardo edward elena eleonora eliana elisa elisabeth elizabeth elke ella ellen elodie els emil emilia emilie emily emma emmanuel enrico enrique eric erik erika esther ethan eva evelyn
    ewa fabian fabien fabio fatima federica federico felix femke fernando filip filippo floor florian françois françoise frank franz frédéric frederik friedrich gabriel gabriela gabriele geert george
    georg gerard gerhard gianluca giorgia giorgio giovanna giovanni giulia giulio giuseppe gonzalo gregory grzegorz guillaume guillermo günter gustav hannah hanna hans harald harry heather
    heidi heike heinrich helen helena helga helmut hendrik henri henrik henry herbert holger hugo ian ignacio ilaria ines inge ingrid irene iris isaac isabel isabella isabelle iván jaap jack
    jacob jacqueline jakub james jamie jan jane janet janine janusz jason javier jean jeffrey jennifer jens jeremy jeroen jerzy jessica jim joachim joan joanna joão joaquín jochen joe
    johan johann johanna johannes john jolanda jonas jonathan jordi jorge jörg jos josé josef joseph joshua juan judith jules julia julian julie julien jürgen justine justyna kai karel
    karen karin karl karolina katarzyna kate katharina kathleen katja katrin kees kelly kenneth kevin kim klaas klaus koen konrad krystyna krzysztof kurt kyle larry lars laura laurent lea
    leila lena leo leon leonardo leonie linda lisa lorenzo louis louise luc luca lucas lucia lucía lucie ludovic luigi luis luisa lukas łukasz maarten maciej magdalena manfred manon manuel manuela
    marc marcel marcin marco marcos marek margaret margarita margot maria maría marianne marie marieke marijke mario marion marta martha martin martina mary mateo mateusz mathieu mathilde
    matteo matthew matthias maurice mauro max maximilian megan melanie mercedes mia michael michał michel michela michele michelle miguel mike mikołaj monica monika monique moritz nadia nadine
    natalia nathalie nathan nicholas nick nicola nicolas nicole niels nina noah noemi nora norbert olga oliver olivia olivier oscar pablo paola paolo pascal patricia patrick patrizia paul paula
    pauline paulo pawel paweł pedro peter petra philip philipp philippe piero pierre pieter pietro pilar piotr rachel rafael rafał ralf ramón raquel rebecca regina reinhard renate renata riccardo
    richard rita robert roberta roberto robin rodrigo roger roland rolf romain ronald rosa rosario rossella ruben ruth ryan sabine sabrina salvatore samantha samuel sander sandra sandrine
    sara sarah sebastian sébastien sergio sharon silke silvia simon simone simona sofia sofía sonia sonja sophia sophie stanisław stefan stefania stefano steffen stella stephanie stéphane
    stéphanie stephen steven stijn susan susana susanne suzanne sven sylvie szymon tanja teresa theo theodor thérèse thierry thijs thomas thorsten tim timothy tobias tom tomás tomasz torsten
    ulrich ulrike ursula ute uwe valentina valeria valérie vanessa vera verónica veronika véronique victor victoria vincent vincenzo virginia virginie wojciech walter wanda werner wilhelm willem
    william wim wolfgang xavier yannick yves yvonne zofia zuzanna";
